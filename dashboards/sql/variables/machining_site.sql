-- Sites whose file has machines among its key figures, those with most roles and numbers of them first.
with offered as (
    select
        k.site,
        count(*) as shown
    from mart.kpi as k
    where k.kind in ('machine')
    group by k.site
    union all
    select
        '-' as site,
        0 as shown
    where
        not exists (
            select 1 from mart.kpi as k
            where k.kind in ('machine')
        )
)

select o.site
from offered as o
order by o.shown desc, o.site asc;
