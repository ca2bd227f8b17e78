-- Points of the site: registers first, then powers, energy of intervals, and the others.
with offered as (
    select
        p.point,
        case p.kind when 'register' then 0 when 'power' then 1 when 'interval' then 2 when 'gauge' then 3 else 4 end
            as place
    from mart.point as p
    where p.site in (${site:sqlstring})
    union all
    select
        '-' as point,
        0 as place
    where
        not exists (
            select 1 from mart.point as p
            where p.site in (${site:sqlstring})
        )
)

select o.point
from offered as o
order by o.place, o.point;
