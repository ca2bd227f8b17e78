-- One row a version of an asset's model; without hashes it ended the one before. Active from reading `active_seq` on.
create or replace view mart.model as
select
    m.site,
    m.asset,
    m.point,
    m.version,
    m.trained_at,
    m.window_from as trained_from,
    m.window_until as trained_until,
    m.validated_until,
    m.data_sha256,
    m.parameters_sha256,
    m.metrics,
    m.active_seq,
    m.active_at
from op.model as m
where position('@' in m.site) = 0;
