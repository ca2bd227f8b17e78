-- Energy of each meter that serves rooms and compressors by local day.
with meter as (
    select distinct
        k.site,
        k.point
    from mart.kpi as k
    where k.site in (${site:sqlstring}) and k.kind in ('room', 'compressor') and k.role = 'energy'
)

select
    cast(e.day as timestamp) at time zone z.time_zone at time zone 'UTC' as time,
    e.point as metric,
    e.energy_kwh
from mart.energy_daily as e
inner join meter as m on e.point = m.point
inner join mart.site as z on e.site = z.site
where
    e.site in (${site:sqlstring})
    and e.day >= cast(cast($__timeFrom() as timestamp) as date)
    and e.day <= cast(cast($__timeTo() as timestamp) as date) + 1
    and cast(e.day as timestamp) at time zone z.time_zone at time zone 'UTC'
    between cast($__timeFrom() as timestamp) - interval '12 hours' and cast($__timeTo() as timestamp)
    and e.energy_kwh is not null
order by 1, 2;
