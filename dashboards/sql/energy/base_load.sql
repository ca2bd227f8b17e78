-- One row: the power that 95 % of the measured quarter-hours lie above, its share of the mean, and its cost of a year.
with demand as (
    select
        percentile_cont(0.05) within group (order by d.demand_kw) as base_kw,
        avg(d.demand_kw) as mean_kw
    from mart.demand_15min as d
    where d.site in (${site:sqlstring}) and $__timeFilter(d.starts_at) and d.quality = 'measured'
),

price as (
    select sum(c.cost_ntd) / nullif(sum(c.energy_kwh), 0) as ntd_per_kwh
    from mart.cost_interval as c
    where c.site in (${site:sqlstring}) and $__timeFilter(c.starts_at) and c.cost_ntd is not null
)

select
    d.base_kw,
    d.base_kw / nullif(d.mean_kw, 0) as base_share,
    d.base_kw * 8760 * p.ntd_per_kwh as year_ntd
from demand as d
cross join price as p;
