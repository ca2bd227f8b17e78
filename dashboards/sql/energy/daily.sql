-- Purchased energy by local day, measured and estimated.
with zoned as (
    select
        s.site,
        s.time_zone
    from mart.site as s
    where s.site in (${site:sqlstring})
),

quarter as (
    select
        date_trunc('day', d.starts_at at time zone 'UTC' at time zone z.time_zone)
        at time zone z.time_zone at time zone 'UTC' as begins_at,
        d.energy_kwh,
        d.estimated_kwh
    from mart.demand_15min as d
    inner join zoned as z on d.site = z.site
    where d.site in (${site:sqlstring}) and $__timeFilter(d.starts_at)
)

select
    q.begins_at as time,
    sum(q.energy_kwh) - sum(q.estimated_kwh) as measured_kwh,
    sum(q.estimated_kwh) as estimated_kwh
from quarter as q
group by q.begins_at
order by q.begins_at;
