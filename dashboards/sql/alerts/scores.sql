-- The highest anomaly score of each asset, of the eight assets that had the highest.
with scored as (
    select
        $__timeGroupAlias(a.starts_at, $__interval),
        a.site,
        a.asset,
        max(a.score) as score
    from mart.anomaly as a
    where a.site in (${site:sqlstring}) and $__timeFilter(a.starts_at)
    group by 1, 2, 3
),

ranked as (
    select
        s.site,
        s.asset,
        row_number() over (order by max(s.score) desc, s.site asc, s.asset asc) as place
    from scored as s
    where s.score is not null
    group by s.site, s.asset
)

select
    s.time,
    s.site || '/' || s.asset as metric,
    s.score
from scored as s
inner join ranked as r on s.site = r.site and s.asset = r.asset
where r.place <= 8
order by s.time, s.site, s.asset;
