"""What an installation has stored, watched from outside while it runs."""
import pathlib
import sqlite3

# What a refused request may leave, and why. A set of columns, or None for the whole table.
MAY_CHANGE = {
    ("identity", "attempt"): None,  # Failed sign-ins are counted.
    ("identity", "sign_in_trace"): None,  # A failed sign-in is a trace that its resident sees.
    # The secret that the page to set one up shows; the boxed number of the next trace.
    ("identity", "account"): {"totp_offered", "traces"},
    ("identity", "session"): {"last_used_ms"},
    ("identity", "sign_up"): {"tries"},
    ("identity", "totp_pending"): {"tries"},
    # A page that is shown again discloses the resident's own values to the resident, and a refusal
    # is a line too: these tables follow the journal.
    ("history", "run"): None,
    ("history", "block"): None,
    ("history", "progress"): None,
    # Which minute the database is of.
    ("identity", "generation"): None,
    ("casework", "generation"): None,
    ("documents", "generation"): None,
    # How far the journal's erasures are applied follows the journal too; what
    # generations the databases have follows these.
    ("persons", "setting"): {"content"},
}


class Databases:
    """Every database of an installation, opened read-only. `changes()` says what has changed since
    the last call, in words; nothing else is counted but what MAY_CHANGE names."""

    def __init__(self, var):
        self.var = pathlib.Path(var)
        files = sorted([*self.var.glob("*/*.sqlite"), *self.var.glob("*/*.db")])
        self.connections = {}
        for file in files:
            self.connections[file.stem] = sqlite3.connect(
                f"file:{file}?mode=ro", uri=True, isolation_level=None, timeout=30)
        self.versions, self.dumps = {}, {}
        self.files = self._files()
        for name in self.connections:
            self._changed(name)
            self.dumps[name] = self._dump(name)

    def close(self):
        for connection in self.connections.values():
            connection.close()

    def changes(self):
        found = []
        for name in self.connections:
            if not self._changed(name):
                continue
            before, after = self.dumps[name], self._dump(name)
            self.dumps[name] = after
            for table in sorted(before.keys() | after.keys()):
                gone = before.get(table, set()) - after.get(table, set())
                new = after.get(table, set()) - before.get(table, set())
                if gone or new:
                    found.append(f"{name}.{table}: {len(new)} rows new, {len(gone)} gone")
        files = self._files()
        if files != self.files:
            found.append(f"files: {sorted(files ^ self.files)}")
            self.files = files
        return found

    def _files(self):
        """Documents and mails, by name."""
        kept = [*self.var.glob("documents/objects/**/*"), *self.var.glob("outbox/*")]
        return {str(path.relative_to(self.var)) for path in kept if path.is_file()}

    def _changed(self, name):
        """SQLite's own word on whether another connection has committed."""
        version = self.connections[name].execute("PRAGMA data_version").fetchone()[0]
        if self.versions.get(name) == version:
            return False
        self.versions[name] = version
        return True

    def _dump(self, name):
        connection = self.connections[name]
        connection.execute("BEGIN")
        try:
            tables = [row[0] for row in connection.execute(
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
            dump = {}
            for table in tables:
                free = MAY_CHANGE.get((name, table), set())
                if free is None:
                    continue
                columns = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]
                kept = ", ".join(f'"{c}"' for c in columns if c not in free)
                dump[table] = set(connection.execute(f'SELECT {kept} FROM "{table}"'))
            return dump
        finally:
            connection.execute("COMMIT")
