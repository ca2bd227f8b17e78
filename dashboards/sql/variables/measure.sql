-- Measures of the site, those that are held to a condition first.
with offered as (
    select
        m.measure,
        count(*) filter (where m.role = 'condition') as conditions
    from mart.measure as m
    where m.site in (${site:sqlstring})
    group by m.measure
    union all
    select
        '-' as measure,
        0 as conditions
    where
        not exists (
            select 1 from mart.measure as m
            where m.site in (${site:sqlstring})
        )
)

select o.measure
from offered as o
order by o.conditions desc, o.measure asc;
