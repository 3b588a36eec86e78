CREATE INDEX CONCURRENTLY notes_text ON notes (text);
