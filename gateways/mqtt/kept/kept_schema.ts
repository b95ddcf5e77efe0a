/**
 * The tables of the file of kept sessions.
 *
 * A message's number in its session's queue, `n`, never comes again, and its packet identifier
 * follows from it: so the identifier is known before the message is first sent, and is the same
 * after a kill, without a write of its own.
 *
 * `incoming` are the QoS 2 messages of the client that it has not released. `epoch` and `n` say in
 * which connection it sent the message, and as which of it; without `epoch` the message is certain
 * to have been sent on to all shards, with 0 nobody is there any more whom it was sent on to but
 * those who share a subscription. `shares`, where there are any: to which of those who share a
 * subscription, as JSON of {@linkcode SharedOut}. `share` is the shared subscription that a
 * message came by. `clock`: how far the times of sessions were moved after a clock that was set.
 *
 * @module
 */

import type { FileKind } from "../../sqlite/file_kind.ts";

export const keptKind: FileKind = {
  version: 1,
  holds: "SELECT key, epoch, holder, expiry_s FROM session",
  unversioned: true,
};

/** To be run each time the file is opened. */
export const keptSchema = `
  CREATE TABLE IF NOT EXISTS session (
    id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, account TEXT NOT NULL,
    epoch INTEGER NOT NULL, holder INTEGER, expiry_s INTEGER NOT NULL, expires_ms INTEGER,
    will BLOB, will_delay_s INTEGER NOT NULL, will_due_ms INTEGER,
    next INTEGER NOT NULL DEFAULT 0, sent INTEGER NOT NULL DEFAULT 0,
    count INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0);
  CREATE INDEX IF NOT EXISTS session_expires ON session (expires_ms)
    WHERE expires_ms IS NOT NULL;
  CREATE INDEX IF NOT EXISTS session_will ON session (will_due_ms)
    WHERE will_due_ms IS NOT NULL;
  DROP INDEX IF EXISTS session_account;
  CREATE INDEX IF NOT EXISTS session_places ON session (account, expires_ms)
    WHERE account <> '';
  CREATE TABLE IF NOT EXISTS subscription (
    session INTEGER NOT NULL, name TEXT NOT NULL, qos INTEGER NOT NULL, no_local INTEGER NOT NULL,
    as_published INTEGER NOT NULL, sub_id INTEGER, feed TEXT,
    PRIMARY KEY (session, name)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS queue (
    session INTEGER NOT NULL, n INTEGER NOT NULL, flags INTEGER NOT NULL, ids TEXT,
    bytes INTEGER NOT NULL, body BLOB, message INTEGER, share TEXT,
    PRIMARY KEY (session, n)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY AUTOINCREMENT, uses INTEGER NOT NULL, body BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS incoming (
    session INTEGER NOT NULL, packet_id INTEGER NOT NULL, settled INTEGER NOT NULL,
    epoch INTEGER, n INTEGER NOT NULL, shares TEXT, PRIMARY KEY (session, packet_id)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS total (
    one INTEGER PRIMARY KEY, revision INTEGER NOT NULL, count INTEGER NOT NULL,
    bytes INTEGER NOT NULL);
  INSERT OR IGNORE INTO total VALUES (1, 1, 0, 0);
  CREATE TABLE IF NOT EXISTS clock (one INTEGER PRIMARY KEY, moved_ms INTEGER NOT NULL);
  INSERT OR IGNORE INTO clock VALUES (1, 0);`;

/** Of an earlier Sluice: what has a row there was sent on, or was never acknowledged. */
export const hasReceivedSql =
  "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'received'";
/** To be run in one transaction, where there is such a table. */
export const takeOverReceivedSql = `
  INSERT OR IGNORE INTO incoming (session, packet_id, settled, n)
    SELECT session, packet_id, settled, 0 FROM received;
  DROP TABLE received;`;

/** Of one that knew nothing of `shares`. */
export const hasSharesSql = "SELECT 1 FROM pragma_table_info('incoming') WHERE name = 'shares'";
export const addSharesSql = "ALTER TABLE incoming ADD COLUMN shares TEXT";
/** Of one that did not know what came by a shared subscription. */
export const hasShareSql = "SELECT 1 FROM pragma_table_info('queue') WHERE name = 'share'";
export const addShareSql = "ALTER TABLE queue ADD COLUMN share TEXT";
