-- The highest anomaly score of each asset.
with scored as (
    select
        $__timeGroupAlias(a.starts_at, $__interval),
        a.site,
        a.asset,
        max(a.score) as score
    from mart.anomaly as a
    where a.site in (${site:sqlstring}) and $__timeFilter(a.starts_at)
    group by 1, 2, 3
)

select
    s.time,
    s.site || '/' || s.asset as metric,
    s.score
from scored as s
order by s.time, s.site, s.asset;
