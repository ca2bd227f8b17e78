-- One row: the share of the generated energy that was used on site, and the share of the site's use that it covered.
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
    sum(p.self_consumed_kwh) / nullif(sum(p.generation_kwh), 0) as self_consumption_share,
    sum(p.self_consumed_kwh) filter (where p.import_kwh is not null)
    / nullif(sum(p.import_kwh + p.self_consumed_kwh), 0) as self_sufficiency_share
from plant as p
having count(*) > 0;
