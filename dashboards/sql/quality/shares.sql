-- One row: shares of the purchased energy that are estimated, and of the time of which something is missing.
select
    sum(d.estimated_kwh) / nullif(sum(d.energy_kwh), 0) as estimated_share,
    sum(d.missing_s) / (count(*) * 900) as missing_share,
    count(*) filter (where d.revision > 0) as revised_quarters
from mart.demand_15min as d
where d.site in (${site:sqlstring}) and $__timeFilter(d.starts_at);
