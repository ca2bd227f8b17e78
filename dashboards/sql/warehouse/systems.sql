-- One row a system: energy, the share and the mean power of it outside working hours, and what that cost.
with price as (
    select
        s.site,
        sum(s.cost_ntd) / nullif(sum(s.import_kwh) filter (where s.cost_ntd is not null), 0) as ntd_per_kwh
    from mart.site_daily as s
    where
        s.site in (${site:sqlstring}) and in_local_days(s.day)
    group by s.site
),

used as (
    select
        d.site,
        d.asset,
        d.system,
        sum(d.energy_kwh) as energy_kwh,
        sum(d.off_hours_kwh) as off_hours_kwh,
        sum(d.off_hours_kwh) / nullif(sum(d.energy_kwh), 0) as off_hours_share,
        sum(d.off_hours_kwh) / nullif(sum(d.off_hours_h), 0) as off_hours_kw
    from mart.load_daily as d
    inner join mart.site as z on d.site = z.site
    where
        d.site in (${site:sqlstring})
        and in_local_days(d.day, z.time_zone)
    group by d.site, d.asset, d.system
)

select
    u.site,
    u.asset,
    u.system,
    u.energy_kwh,
    u.off_hours_kwh,
    u.off_hours_share,
    u.off_hours_kw,
    u.off_hours_kwh * p.ntd_per_kwh as off_hours_ntd
from used as u
left join price as p on u.site = p.site
order by u.off_hours_kw desc nulls last, u.system asc;
