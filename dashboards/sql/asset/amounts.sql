-- One row a point of the asset that counts something else than energy: the amount of the range.
select
    a.site,
    a.asset,
    a.point,
    sum(a.amount) as amount,
    a.unit,
    count(*) filter (where a.quality <> 'measured') as unsure_intervals
from mart.amount_interval as a
where a.site in (${site:sqlstring}) and a.asset in (${asset:sqlstring}) and $__timeFilter(a.starts_at)
group by a.site, a.asset, a.point, a.unit
order by a.point;
