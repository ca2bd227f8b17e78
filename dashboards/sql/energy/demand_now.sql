-- One row: the last quarter-hour with a demand, the highest one, the contract, and how many quarter-hours passed it.
with quarter as (
    select
        d.starts_at,
        d.demand_kw,
        d.contract_kw,
        row_number() over (order by d.starts_at desc) as nth
    from mart.demand_15min as d
    where d.site in (${site:sqlstring}) and $__timeFilter(d.starts_at) and d.demand_kw is not null
)

select
    max(q.demand_kw) filter (where q.nth = 1) as last_kw,
    max(q.demand_kw) as peak_kw,
    max(q.contract_kw) filter (where q.nth = 1) as contract_kw,
    count(*) filter (where q.demand_kw > q.contract_kw) as over_quarters
from quarter as q;
