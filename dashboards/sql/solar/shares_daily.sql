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
        and in_local_days(d.day, z.time_zone)
    group by d.site, d.day
)

select
    local_day_start(p.day, z.time_zone) as time,
    p.self_consumed_kwh / nullif(p.generation_kwh, 0) as self_consumption_share,
    p.self_consumed_kwh / nullif(p.import_kwh + p.self_consumed_kwh, 0) as self_sufficiency_share
from plant as p
inner join mart.site as z on p.site = z.site
order by 1;
