-- Self-consumption and self-sufficiency of the site by local day.
with plant as (
    select
        d.site,
        d.day,
        sum(d.generation_kwh) as generation_kwh,
        sum(d.self_consumed_kwh) as self_consumed_kwh,
        max(d.import_kwh) as import_kwh
    from mart.solar_daily as d
    inner join mart.site as z on d.site = z.site
    where
        d.site in (${site:sqlstring})
        and d.day >= cast(cast($__timeFrom() as timestamp) as date)
        and d.day <= cast(cast($__timeTo() as timestamp) as date) + 1
        and cast(d.day as timestamp) at time zone z.time_zone at time zone 'UTC'
        between cast($__timeFrom() as timestamp) - interval '12 hours' and cast($__timeTo() as timestamp)
    group by d.site, d.day
)

select
    cast(p.day as timestamp) at time zone z.time_zone at time zone 'UTC' as time,
    p.self_consumed_kwh / nullif(p.generation_kwh, 0) as self_consumption_share,
    p.self_consumed_kwh / nullif(p.import_kwh + p.self_consumed_kwh, 0) as self_sufficiency_share
from plant as p
inner join mart.site as z on p.site = z.site
order by 1;
