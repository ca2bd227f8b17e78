-- Raw rows come nearly in order of time, so block ranges find them at a third of what keys in a tree cost a COPY;
-- several ranges a block bear a late reading here and there.
create index reading_time on raw.reading using brin (
    read_at timestamp_minmax_multi_ops, received_at timestamp_minmax_multi_ops
) with (pages_per_range = 128, autosummarize = on);
drop index raw.reading_key;
drop index raw.reading_received;
