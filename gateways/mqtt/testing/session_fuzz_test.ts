import { fuzzSessions } from "./session_fuzz.ts";

Deno.test("sessions that are sent mutated packets disturb no other, and give back what they held", () =>
  fuzzSessions(1, 4_000));
