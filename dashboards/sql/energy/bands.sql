-- One row a band of the tariff: energy, cost, price of a kWh, and quarter-hours whose cost is not known.
select
    c.band,
    sum(c.energy_kwh) as energy_kwh,
    sum(c.cost_ntd) as cost_ntd,
    sum(c.cost_ntd) / nullif(sum(c.energy_kwh) filter (where c.cost_ntd is not null), 0) as ntd_per_kwh,
    count(*) filter (where c.cost_ntd is null) as unknown_quarters,
    string_agg(distinct c.tariff_id, ', ') as tariff
from mart.cost_interval as c
where c.site in (${site:sqlstring}) and $__timeFilter(c.starts_at)
group by c.band
order by cost_ntd desc nulls last, c.band asc;
