-- Histories are only ever added to: each line comes after those that are there, none is changed or
-- removed. These are SQLite's triggers; PostgreSQL gets the same from a migration of its own, with
-- one trigger function that raises an exception, and REVOKE UPDATE, DELETE, TRUNCATE for the role
-- that casework runs as. The insert triggers also stop INSERT OR REPLACE, which deletes silently.

CREATE TRIGGER status_history_only_grows BEFORE INSERT ON status_history
WHEN EXISTS (SELECT 1 FROM status_history
             WHERE request = NEW.request AND sequence >= NEW.sequence)
BEGIN SELECT RAISE(ABORT, 'the history of statuses is append-only'); END;
CREATE TRIGGER status_history_stays BEFORE UPDATE ON status_history
BEGIN SELECT RAISE(ABORT, 'the history of statuses is append-only'); END;
CREATE TRIGGER status_history_is_kept BEFORE DELETE ON status_history
BEGIN SELECT RAISE(ABORT, 'the history of statuses is append-only'); END;

CREATE TRIGGER assignment_history_only_grows BEFORE INSERT ON assignment_history
WHEN EXISTS (SELECT 1 FROM assignment_history
             WHERE request = NEW.request AND sequence >= NEW.sequence)
BEGIN SELECT RAISE(ABORT, 'the history of assignments is append-only'); END;
CREATE TRIGGER assignment_history_stays BEFORE UPDATE ON assignment_history
BEGIN SELECT RAISE(ABORT, 'the history of assignments is append-only'); END;
CREATE TRIGGER assignment_history_is_kept BEFORE DELETE ON assignment_history
BEGIN SELECT RAISE(ABORT, 'the history of assignments is append-only'); END;
