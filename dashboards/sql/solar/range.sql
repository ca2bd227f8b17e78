-- One row: energy of the site's solar plants, what became of it, and the income of what was exported.
with plant as (
    select
        d.site,
        d.day,
        sum(d.generation_kwh) as generation_kwh,
        sum(d.export_kwh) as export_kwh,
        sum(d.self_consumed_kwh) as self_consumed_kwh,
        sum(d.export_ntd) as export_ntd
    from mart.solar_daily as d
    inner join mart.site as z on d.site = z.site
    where
        d.site in (${site:sqlstring})
        and in_local_days(d.day, z.time_zone)
    group by d.site, d.day
),

whole as (
    select
        sum(p.generation_kwh) as energy_kwh,
        sum(p.self_consumed_kwh) as self_consumed_kwh,
        sum(p.export_kwh) as export_kwh,
        sum(p.export_ntd) as export_ntd
    from plant as p
),

sure as (
    select
        sum(e.estimated_kwh) as estimated_kwh,
        sum(e.missing_s) as missing_s,
        count(*) * 86400 as whole_s
    from mart.energy_daily as e
    inner join mart.kpi as k on e.point = k.point and k.kind = 'solar' and k.role = 'generation'
    inner join mart.site as z on e.site = z.site
    where
        e.site in (${site:sqlstring})
        and in_local_days(e.day, z.time_zone)
)

select
    w.energy_kwh,
    w.self_consumed_kwh,
    w.export_kwh,
    w.export_ntd,
    least(s.estimated_kwh / nullif(w.energy_kwh, 0), 1) as estimated_share,
    s.missing_s / nullif(s.whole_s, 0) as missing_share
from whole as w
cross join sure as s
where w.energy_kwh is not null;
