-- One row a point: its last interval of which something is known; null for states, which have no intervals, and for
-- points of which nothing has come yet.
create or replace view mart.point_state as
with latest as (
    select
        p.site,
        p.asset,
        p.point,
        p.kind,
        p.resolution_ms,
        case
            when p.kind = 'gauge'
                then (
                    select max(a.starts_at)
                    from fact.anomaly as a
                    where a.point_id = p.point_id
                )
            else (
                select max(f.starts_at)
                from fact.interval as f
                where f.point_id = p.point_id and f.amount is not null
            )
        end as starts_at
    from op.point as p
    where p.kind <> 'derived' and position('@' in p.site) = 0
)

select
    l.site,
    l.asset,
    l.point,
    l.kind,
    l.starts_at,
    l.starts_at + l.resolution_ms * interval '1 millisecond' as ends_at
from latest as l;
