-- Of a datapoint that a module wrote: version, hook, subscription and call. Null: it came from outside, or is older.
ALTER TABLE raw ADD COLUMN made BLOB;
