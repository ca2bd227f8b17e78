-- Sites whose file has movers of loads or systems among its key figures, those with most movers first.
with offered as (
    select
        k.site,
        count(*) filter (where k.kind = 'handler') as shown
    from mart.kpi as k
    where k.kind in ('handler', 'load')
    group by k.site
    union all
    select
        '-' as site,
        0 as shown
    where
        not exists (
            select 1 from mart.kpi as k
            where k.kind in ('handler', 'load')
        )
)

select o.site
from offered as o
order by o.shown desc, o.site asc;
