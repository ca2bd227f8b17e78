-- Sites whose file has measures, those that are held to a condition first.
with offered as (
    select
        m.site,
        count(*) filter (where m.role = 'condition') as conditions
    from mart.measure as m
    group by m.site
    union all
    select
        '-' as site,
        0 as conditions
    where not exists (select 1 from mart.measure)
)

select o.site
from offered as o
order by o.conditions desc, o.site asc;
