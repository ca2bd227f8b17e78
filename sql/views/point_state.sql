-- One row a point: its last interval of which something is known; null for states, which have no intervals, and for
-- points of which nothing has come yet.
create or replace view mart.point_state as
with latest as (
    select
        p.point_id,
        (
            select max(f.starts_at)
            from fact.interval as f
            where f.point_id = p.point_id and f.amount is not null
        ) as counted_at,
        (
            select max(a.starts_at)
            from fact.anomaly as a
            where a.point_id = p.point_id and p.kind = 'gauge'
        ) as gauged_at
    from op.point as p
)

select
    p.site,
    p.asset,
    p.point,
    p.kind,
    coalesce(l.counted_at, l.gauged_at) as starts_at,
    coalesce(f.ends_at, a.ends_at) as ends_at
from op.point as p
inner join latest as l on p.point_id = l.point_id
left join fact.interval as f on l.point_id = f.point_id and l.counted_at = f.starts_at
left join fact.anomaly as a on l.point_id = a.point_id and l.gauged_at = a.starts_at
where position('@' in p.site) = 0;
