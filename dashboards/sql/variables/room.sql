select distinct k.asset
from mart.kpi as k
where k.site in (${site:sqlstring}) and k.kind = 'room'
union all
select '-' as asset
where
    not exists (
        select 1 from mart.kpi as k
        where k.site in (${site:sqlstring}) and k.kind = 'room'
    )
order by 1;
