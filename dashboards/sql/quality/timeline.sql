-- The worst quality in each interval, as a code (0 measured, 1 estimated, 2 partial, 3 missing), of the twelve meters
-- of which most was not measured.
with graded as (
    select
        $__timeGroupAlias(i.starts_at, $__interval),
        i.point,
        max(case i.quality when 'measured' then 0 when 'estimated' then 1 when 'partial' then 2 else 3 end) as quality
    from mart.energy_interval as i
    where i.site in (${site:sqlstring}) and $__timeFilter(i.starts_at)
    group by 1, 2
),

ranked as (
    select
        g.point,
        row_number() over (order by sum(g.quality) desc, g.point asc) as place
    from graded as g
    group by g.point
    having sum(g.quality) > 0
)

select
    g.time,
    g.point as metric,
    g.quality
from graded as g
inner join ranked as r on g.point = r.point
where r.place <= 12
order by g.time, g.point;
