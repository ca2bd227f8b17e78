-- Sites whose file has movers of loads or systems among its key figures.
select distinct k.site
from mart.kpi as k
where k.kind in ('handler', 'load')
union all
select '-' as site
where
    not exists (
        select 1 from mart.kpi as k
        where k.kind in ('handler', 'load')
    )
order by 1;
