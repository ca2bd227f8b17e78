-- One row a site: the larger of the estimated share of its energy and the missing share of its time.
select
    d.site,
    greatest(
        coalesce(sum(d.estimated_kwh) / nullif(sum(d.energy_kwh), 0), 0), sum(d.missing_s) / (count(*) * 900)
    ) as unsure_share
from mart.demand_15min as d
where $__timeFilter(d.starts_at)
group by d.site;
