-- One row a point and week (Monday to Sunday, the site's own days): energy, and how much of it is an estimate.
-- An asset can have a register and a power meter of the same load, so points are listed and never added up here.
-- For a virtual point the estimated parts of its members add up, hence the upper bound of 1. Null: nothing is known.
select
    d.site,
    d.asset,
    d.point,
    cast(date_trunc('week', d.day) as date) as week_of,
    sum(d.energy_kwh) as energy_kwh,
    case
        when sum(d.energy_kwh) <> 0 then least(sum(d.estimated_kwh) / abs(sum(d.energy_kwh)), 1)
    end as estimated_share,
    sum(d.missing_s) / 3600 as missing_h
from mart.energy_daily as d
group by d.site, d.asset, d.point, cast(date_trunc('week', d.day) as date)
order by d.site, d.asset, d.point, week_of;
