-- Sites whose file has machines or furnaces among its key figures.
select distinct k.site
from mart.kpi as k
where k.kind in ('machine', 'furnace')
union all
select '-' as site
where
    not exists (
        select 1 from mart.kpi as k
        where k.kind in ('machine', 'furnace')
    )
order by 1;
