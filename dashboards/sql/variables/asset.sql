select distinct p.asset
from mart.point as p
where p.site in (${site:sqlstring})
order by p.asset;
