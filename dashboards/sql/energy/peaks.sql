-- One row for each of the ten highest quarter-hours: an estimated one may hold the energy of others.
select
    d.starts_at,
    d.demand_kw,
    d.demand_kw / nullif(d.contract_kw, 0) as contract_share,
    d.quality
from mart.demand_15min as d
where d.site in (${site:sqlstring}) and $__timeFilter(d.starts_at) and d.demand_kw is not null
order by d.demand_kw desc, d.starts_at asc
limit 10;
