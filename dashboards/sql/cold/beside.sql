-- The room's mean kinetic temperature beside the energy of the site's cold by local day; energy of a day on which the
-- room was out of its band for more than 1 % of the known time stands apart.
with meter as (
    select distinct
        k.site,
        k.point
    from mart.kpi as k
    where k.site in (${site:sqlstring}) and k.kind in ('room', 'compressor') and k.role = 'energy'
),

energy as (
    select
        e.site,
        e.day,
        sum(e.energy_kwh) as energy_kwh
    from mart.energy_daily as e
    inner join meter as m on e.point = m.point
    inner join mart.site as z on e.site = z.site
    where
        e.site in (${site:sqlstring})
        and in_local_days(e.day, z.time_zone)
    group by e.site, e.day
)

select
    local_day_start(d.day, z.time_zone) as time,
    case when d.in_band_share >= 0.99 then e.energy_kwh end as in_band_kwh,
    case when d.in_band_share < 0.99 then e.energy_kwh end as out_of_band_kwh,
    d.mean_kinetic_c
from mart.room_daily as d
inner join mart.site as z on d.site = z.site
left join energy as e on d.site = e.site and d.day = e.day
where
    d.site in (${site:sqlstring})
    and d.asset in (${room:sqlstring})
    and in_local_days(d.day, z.time_zone)
order by 1;
