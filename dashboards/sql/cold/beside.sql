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
        and e.day >= cast(cast($__timeFrom() as timestamp) as date)
        and e.day <= cast(cast($__timeTo() as timestamp) as date) + 1
        and cast(e.day as timestamp) at time zone z.time_zone at time zone 'UTC'
        between cast($__timeFrom() as timestamp) - interval '12 hours' and cast($__timeTo() as timestamp)
    group by e.site, e.day
)

select
    cast(d.day as timestamp) at time zone z.time_zone at time zone 'UTC' as time,
    case when d.in_band_share >= 0.99 then e.energy_kwh end as in_band_kwh,
    case when d.in_band_share < 0.99 then e.energy_kwh end as out_of_band_kwh,
    d.mean_kinetic_c
from mart.room_daily as d
inner join mart.site as z on d.site = z.site
left join energy as e on d.site = e.site and d.day = e.day
where
    d.site in (${site:sqlstring})
    and d.asset in (${room:sqlstring})
    and d.day >= cast(cast($__timeFrom() as timestamp) as date)
    and d.day <= cast(cast($__timeTo() as timestamp) as date) + 1
    and cast(d.day as timestamp) at time zone z.time_zone at time zone 'UTC'
    between cast($__timeFrom() as timestamp) - interval '12 hours' and cast($__timeTo() as timestamp)
order by 1;
