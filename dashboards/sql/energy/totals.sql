-- One row: purchased energy, against the span of the same length before, its cost, and how sure it is.
with energy as (
    select
        min(d.starts_at) as first_at,
        sum(d.energy_kwh) filter (where d.starts_at >= $__timeFrom()) as energy_kwh,
        sum(d.energy_kwh) filter (where d.starts_at < $__timeFrom()) as earlier_kwh,
        sum(d.estimated_kwh) filter (where d.starts_at >= $__timeFrom()) as estimated_kwh,
        sum(d.missing_s) filter (where d.starts_at >= $__timeFrom()) as missing_s,
        count(*) filter (where d.starts_at >= $__timeFrom()) as quarters
    from mart.demand_15min as d
    where
        d.site in (${site:sqlstring})
        and d.starts_at <= $__timeTo()
        and d.starts_at > cast($__timeFrom() as timestamp)
        - (cast($__timeTo() as timestamp) - cast($__timeFrom() as timestamp))
),

cost as (
    select
        sum(c.cost_ntd) as cost_ntd,
        sum(c.energy_kwh) filter (where c.cost_ntd is not null) as priced_kwh
    from mart.cost_interval as c
    where c.site in (${site:sqlstring}) and $__timeFilter(c.starts_at)
)

select
    e.energy_kwh,
    case
        when
            e.first_at < cast($__timeFrom() as timestamp)
            - (cast($__timeTo() as timestamp) - cast($__timeFrom() as timestamp)) * 9 / 10
            then e.energy_kwh / nullif(e.earlier_kwh, 0) - 1
    end as change,
    c.cost_ntd,
    c.cost_ntd / nullif(c.priced_kwh, 0) as ntd_per_kwh,
    e.estimated_kwh / nullif(e.energy_kwh, 0) as estimated_share,
    e.missing_s / (nullif(e.quarters, 0) * 900) as missing_share
from energy as e
cross join cost as c;
