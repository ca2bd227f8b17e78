select distinct p.asset
from mart.point as p
where p.site in (${site:sqlstring})
union all
select '-' as asset
where
    not exists (
        select 1 from mart.point as p
        where p.site in (${site:sqlstring})
    )
order by 1;
