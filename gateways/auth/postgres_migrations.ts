/**
 * How the tables of accounts in PostgreSQL came to be what they are: each step is run once, and never
 * changed after that.
 *
 * @module
 */

/** Taken by whoever changes accounts, so that entries of the audit log are committed in order. */
export const changeLock = 0x51_0c_e0_02;

/** In order; `sluice_migrations` says which of them the database has had. */
export const migrations = [
  `CREATE TABLE sluice_accounts (
     name text COLLATE "C" PRIMARY KEY,
     kind text NOT NULL,
     grants jsonb NOT NULL,
     password_hash text NOT NULL,
     disabled integer NOT NULL,
     version integer NOT NULL,
     created_ms bigint NOT NULL,
     changed_ms bigint NOT NULL
   );
   CREATE TABLE sluice_audit (
     sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     at_ms bigint NOT NULL,
     actor text NOT NULL,
     action text NOT NULL,
     target text NOT NULL,
     version integer NOT NULL,
     detail text NOT NULL
   );
   CREATE INDEX sluice_audit_at ON sluice_audit (at_ms);
   CREATE TABLE sluice_instances (
     url text PRIMARY KEY,
     load double precision NOT NULL,
     seen_ms bigint NOT NULL
   );`,
  // Who changes an account by SQL does not know of versions and of the audit log: both are kept for
  // them, so that what they do takes hold of live sessions as any other change does.
  `CREATE INDEX sluice_audit_target ON sluice_audit (target, version);
   ALTER TABLE sluice_accounts
     ADD CHECK (kind IN ('device', 'person', 'service')),
     ADD CHECK (disabled IN (0, 1)),
     ADD CHECK ((jsonb_typeof(grants->'roles') = 'array' AND jsonb_typeof(grants->'read') = 'array'
       AND jsonb_typeof(grants->'write') = 'array' AND jsonb_typeof(grants->'devices') = 'array')
       IS TRUE);
   CREATE FUNCTION sluice_account_by_sql() RETURNS trigger LANGUAGE plpgsql AS $$
   DECLARE
     now_ms bigint := extract(epoch FROM clock_timestamp()) * 1000;
     had integer;
     action text;
   BEGIN
     IF current_setting('sluice.keeps_books', true) = 'yes' THEN
       RETURN coalesce(NEW, OLD);
     END IF;
     PERFORM pg_advisory_xact_lock(${changeLock});
     SELECT coalesce(max(version), 0) INTO had FROM sluice_audit
       WHERE target = coalesce(NEW.name, OLD.name);
     IF TG_OP = 'INSERT' THEN
       action := 'add';
       NEW.created_ms := now_ms;
     ELSIF TG_OP = 'DELETE' THEN
       action := 'delete';
     ELSIF NEW.name <> OLD.name THEN
       RAISE EXCEPTION 'an account keeps its name: add one and delete the other';
     ELSE
       action := CASE WHEN NEW.password_hash <> OLD.password_hash THEN 'rotate'
         WHEN NEW.disabled > OLD.disabled THEN 'disable'
         WHEN NEW.disabled < OLD.disabled THEN 'enable' ELSE 'grant' END;
     END IF;
     INSERT INTO sluice_audit (at_ms, actor, action, target, version, detail)
       VALUES (now_ms, 'sql:' || session_user, action, coalesce(NEW.name, OLD.name), had + 1, '');
     IF TG_OP = 'DELETE' THEN
       RETURN OLD;
     END IF;
     NEW.version := had + 1;
     NEW.changed_ms := now_ms;
     RETURN NEW;
   END $$;
   CREATE TRIGGER sluice_account_by_sql BEFORE INSERT OR UPDATE OR DELETE ON sluice_accounts
     FOR EACH ROW EXECUTE FUNCTION sluice_account_by_sql();`,
  // Limits end no session and outdate no token, so they leave the version as it is.
  `ALTER TABLE sluice_accounts ADD COLUMN limits jsonb NOT NULL DEFAULT '{}',
     ADD CHECK (jsonb_typeof(limits) = 'object'
       AND coalesce(limits->>'messages' ~ '^[0-9]+:[0-9]+(,[0-9]+:[0-9]+){0,3}$', true)
       AND coalesce(limits->>'points' ~ '^[0-9]+:[0-9]+(,[0-9]+:[0-9]+){0,3}$', true)
       AND coalesce(jsonb_typeof(limits->'sessionsMax') = 'number', true)
       AND coalesce(jsonb_typeof(limits->'subscriptionsMax') = 'number', true)
       AND coalesce(jsonb_typeof(limits->'retainedMax') = 'number', true));
   CREATE INDEX sluice_accounts_limited ON sluice_accounts (name) WHERE limits <> '{}';
   CREATE OR REPLACE FUNCTION sluice_account_by_sql() RETURNS trigger LANGUAGE plpgsql AS $$
   DECLARE
     now_ms bigint := extract(epoch FROM clock_timestamp()) * 1000;
     following integer;
     action text;
   BEGIN
     IF current_setting('sluice.keeps_books', true) = 'yes' THEN
       RETURN coalesce(NEW, OLD);
     END IF;
     PERFORM pg_advisory_xact_lock(${changeLock});
     SELECT coalesce(max(version), 0) + 1 INTO following FROM sluice_audit
       WHERE target = coalesce(NEW.name, OLD.name);
     IF TG_OP = 'INSERT' THEN
       action := 'add';
       NEW.created_ms := now_ms;
     ELSIF TG_OP = 'DELETE' THEN
       action := 'delete';
     ELSIF NEW.name <> OLD.name THEN
       RAISE EXCEPTION 'an account keeps its name: add one and delete the other';
     ELSE
       IF NEW.limits <> OLD.limits THEN
         INSERT INTO sluice_audit (at_ms, actor, action, target, version, detail)
           VALUES (now_ms, 'sql:' || session_user, 'limit', NEW.name, OLD.version, '');
         NEW.changed_ms := now_ms;
         NEW.version := OLD.version;
         IF (NEW.kind, NEW.grants, NEW.password_hash, NEW.disabled)
           IS NOT DISTINCT FROM (OLD.kind, OLD.grants, OLD.password_hash, OLD.disabled) THEN
           RETURN NEW;
         END IF;
       END IF;
       action := CASE WHEN NEW.password_hash <> OLD.password_hash THEN 'rotate'
         WHEN NEW.disabled > OLD.disabled THEN 'disable'
         WHEN NEW.disabled < OLD.disabled THEN 'enable' ELSE 'grant' END;
     END IF;
     INSERT INTO sluice_audit (at_ms, actor, action, target, version, detail)
       VALUES (now_ms, 'sql:' || session_user, action, coalesce(NEW.name, OLD.name), following, '');
     IF TG_OP = 'DELETE' THEN
       RETURN OLD;
     END IF;
     NEW.version := following;
     NEW.changed_ms := now_ms;
     RETURN NEW;
   END $$;`,
] as const;
