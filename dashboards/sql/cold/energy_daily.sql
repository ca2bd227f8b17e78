-- Energy of each meter that serves rooms and compressors by local day.
with meter as (
    select distinct
        k.site,
        k.point
    from mart.kpi as k
    where k.site in (${site:sqlstring}) and k.kind in ('room', 'compressor') and k.role = 'energy'
)

select
    local_day_start(e.day, z.time_zone) as time,
    e.point as metric,
    e.energy_kwh
from mart.energy_daily as e
inner join meter as m on e.point = m.point
inner join mart.site as z on e.site = z.site
where
    e.site in (${site:sqlstring})
    and in_local_days(e.day, z.time_zone)
    and e.energy_kwh is not null
order by 1, 2;
