select distinct m.measure
from mart.measure as m
where m.site in (${site:sqlstring})
union all
select '-' as measure
where
    not exists (
        select 1 from mart.measure as m
        where m.site in (${site:sqlstring})
    )
order by 1;
