-- One row: the highest quarter-hour of the range as a share of the contract.
select max(d.demand_kw / nullif(d.contract_kw, 0)) as contract_share
from mart.demand_15min as d
where d.site in (${site:sqlstring}) and $__timeFilter(d.starts_at);
