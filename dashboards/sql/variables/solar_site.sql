-- Sites whose file has solar plants among its key figures.
select distinct k.site
from mart.kpi as k
where k.kind in ('solar')
union all
select '-' as site
where
    not exists (
        select 1 from mart.kpi as k
        where k.kind in ('solar')
    )
order by 1;
