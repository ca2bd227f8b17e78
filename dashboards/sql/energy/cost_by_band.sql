-- Cost of purchased energy by local day and band of the tariff, 5 % VAT included.
with zoned as (
    select
        s.site,
        s.time_zone
    from mart.site as s
    where s.site in (${site:sqlstring})
)

select
    date_trunc('day', c.starts_at at time zone 'UTC' at time zone z.time_zone)
    at time zone z.time_zone at time zone 'UTC' as time,
    c.band as metric,
    sum(c.cost_ntd) as cost_ntd
from mart.cost_interval as c
inner join zoned as z on c.site = z.site
where c.site in (${site:sqlstring}) and $__timeFilter(c.starts_at)
group by 1, 2
order by 1, 2;
