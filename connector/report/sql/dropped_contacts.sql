-- Where these people can be reached, by their current traits.
SELECT dropped_people.uid, people_traits.email, people_traits.phone
FROM dropped_people
INNER JOIN people_traits ON people_traits.uid = dropped_people.uid
