-- What makes the mart views quick. Intervals by the site's own day; equal keys share one entry, so the index is small.
create index interval_day on fact.interval (point_id, local_day);
-- States are words, and few among the raw rows.
create index reading_text on raw.reading (point_id, read_at) where text is not null;
-- Nearly every site is no run. Without knowing, the planner expects one point of a view and looks for each one's rows.
create statistics op.point_runs on (position('@' in site)) from op.point;
-- Scores are written once, in the order of time.
create index anomaly_time on fact.anomaly using brin (starts_at) with (autosummarize = on);
