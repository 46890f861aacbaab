"""Common English given names, without those that are also words, months or places (Will, May, Austin)."""

from models.redact.rule import any_of

GIVEN_NAMES = any_of(
    """
    James Robert John Michael David William Richard Joseph Thomas Charles Christopher Daniel Matthew Anthony Steven
    Paul Andrew Joshua Kenneth Kevin Brian George Timothy Ronald Edward Jason Jeffrey Ryan Jacob Gary Nicholas Eric
    Jonathan Stephen Larry Justin Scott Brandon Benjamin Samuel Gregory Alexander Patrick Jack Dennis Jerry Tyler
    Aaron Jose Adam Nathan Henry Zachary Douglas Peter Kyle Noah Ethan Jeremy Christian Walter Keith Roger Terry Sean
    Gerald Carl Harold Dylan Arthur Lawrence Jesse Bryan Joe Bruce Billy Ralph Gabriel Logan Alan Juan Albert Elijah
    Randy Philip Vincent Bobby Louis Tom Tim Mike Dave Steve Chris Matt Dan Ben Sam Alex Nick Tony Greg Jim Bob
    Mary Patricia Jennifer Linda Elizabeth Barbara Susan Jessica Sarah Karen Lisa Nancy Betty Sandra Margaret Ashley
    Kimberly Emily Donna Michelle Carol Amanda Melissa Deborah Stephanie Rebecca Sharon Laura Cynthia Dorothy Amy
    Kathleen Angela Shirley Emma Brenda Pamela Nicole Anna Samantha Katherine Christine Debra Rachel Carolyn Janet
    Maria Olivia Heather Helen Catherine Diane Julie Victoria Joyce Lauren Kelly Christina Ruth Joan Evelyn Judith
    Andrea Hannah Megan Cheryl Jacqueline Martha Madison Teresa Gloria Sara Janice Ann Kathryn Abigail Sophia Frances
    Jean Alice Judy Isabella Julia Amber Denise Danielle Marilyn Beverly Theresa Diana Natalie Brittany Doris Kayla
    Alexis Lori Marie Jane Kate Jenny Lucy Sophie Claire Liam Oliver Oscar Leo Max Wei Ming Li Mohammed Ali Ahmed
    """
)
