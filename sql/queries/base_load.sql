-- One row a point: what runs while nobody works. Night is 00:00 to 05:00 of Monday to Friday, weekend Saturday and
-- Sunday, local time; base is the power that 95 % of all intervals lie above. Estimated intervals are left out, since
-- they spread energy evenly over a gap.
with zone as (
    select distinct
        p.site,
        p.time_zone
    from op.point as p
),

measured as (
    select
        i.site,
        i.asset,
        i.point,
        i.energy_kwh,
        extract(epoch from i.ends_at - i.starts_at) / 3600 as hours,
        i.starts_at at time zone 'UTC' at time zone z.time_zone as local_at
    from mart.energy_interval as i
    inner join zone as z on i.site = z.site
    where i.quality = 'measured'
),

powers as (
    select
        m.site,
        m.asset,
        m.point,
        m.energy_kwh,
        m.hours,
        m.energy_kwh / m.hours as power_kw,
        extract(isodow from m.local_at) >= 6 as is_weekend,
        extract(isodow from m.local_at) < 6 and extract(hour from m.local_at) < 5 as is_night
    from measured as m
)

select
    p.site,
    p.asset,
    p.point,
    sum(p.energy_kwh) / sum(p.hours) as mean_kw,
    sum(p.energy_kwh) filter (where p.is_night) / sum(p.hours) filter (where p.is_night) as night_kw,
    sum(p.energy_kwh) filter (where p.is_weekend) / sum(p.hours) filter (where p.is_weekend) as weekend_kw,
    percentile_cont(0.05) within group (order by p.power_kw) as base_kw
from powers as p
group by p.site, p.asset, p.point
order by p.site, p.asset, p.point;
