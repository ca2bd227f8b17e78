-- Sites whose file has measures.
select distinct m.site
from mart.measure as m
union all
select '-' as site
where not exists (select 1 from mart.measure)
order by 1;
