-- One row a point: how much of the site's time it covers, and how much of its energy is an estimate.
-- The site's time runs from the first to the last interval of any of its points; what a point has no interval for, or
-- one that says missing, is missing.
with site_span as (
    select
        i.site,
        min(i.starts_at) as first_at,
        max(i.ends_at) as last_at
    from mart.energy_interval as i
    group by i.site
),

covered as (
    select
        i.site,
        i.asset,
        i.point,
        sum(extract(epoch from i.ends_at - i.starts_at)) as covered_s
    from mart.energy_interval as i
    group by i.site, i.asset, i.point
),

known as (
    select
        d.point,
        sum(d.energy_kwh) as energy_kwh,
        sum(d.estimated_kwh) as estimated_kwh,
        sum(d.missing_s) as missing_s
    from mart.energy_daily as d
    group by d.point
)

select
    c.site,
    c.asset,
    c.point,
    s.first_at,
    s.last_at,
    extract(epoch from s.last_at - s.first_at) / 3600 as span_h,
    (extract(epoch from s.last_at - s.first_at) - c.covered_s + k.missing_s) / 3600 as missing_h,
    1 - (c.covered_s - k.missing_s) / extract(epoch from s.last_at - s.first_at) as missing_share,
    k.energy_kwh,
    case
        when k.energy_kwh <> 0 then least(k.estimated_kwh / abs(k.energy_kwh), 1)
    end as estimated_share
from covered as c
inner join site_span as s on c.site = s.site
inner join known as k on c.point = k.point
order by c.site, c.asset, c.point;
