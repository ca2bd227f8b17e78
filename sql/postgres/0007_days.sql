-- Sums by day are read from the index alone: the rows of one point lie far apart in the table.
drop index fact.interval_day;
create index interval_day on fact.interval (point_id, local_day) include (amount, estimated, missing_ms);
