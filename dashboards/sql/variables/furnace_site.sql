-- Sites whose file has furnaces among its key figures, those with most roles and numbers of them first.
with offered as (
    select
        k.site,
        count(*) as shown
    from mart.kpi as k
    where k.kind in ('furnace')
    group by k.site
    union all
    select
        '-' as site,
        0 as shown
    where
        not exists (
            select 1 from mart.kpi as k
            where k.kind in ('furnace')
        )
)

select o.site
from offered as o
order by o.shown desc, o.site asc;
