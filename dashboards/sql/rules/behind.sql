-- One row a site: seconds from the end of its last interval of which something is known until now.
select
    p.site,
    extract(epoch from cast($__timeTo() as timestamp) - max(p.ends_at)) as behind_s
from mart.point_state as p
group by p.site;
